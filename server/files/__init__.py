"""Files that people attach: kept once by their content, checked by what they are, served by the room that has them."""

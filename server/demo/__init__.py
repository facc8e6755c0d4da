"""The demonstration: a made-up company on a real region, taken through the main job by the program's own doors."""

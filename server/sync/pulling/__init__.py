"""What reaches phones: buckets, and what changed in them since a cursor."""

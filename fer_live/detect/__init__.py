"""Face finders: where the faces of a frame are."""

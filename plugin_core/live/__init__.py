"""Video filled as it comes, a frame out as one comes in; pipes, movies and cameras."""

"""What others have pushed, brought into a working tree that many share, and ours pushed to them."""

"""How an API gets to a cloud: what a bundle holds and how it is made. Values in, files out; knows no cloud by name."""

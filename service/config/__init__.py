"""How a configuration file becomes frozen structs: the reader, secrets by reference, and shared value types."""

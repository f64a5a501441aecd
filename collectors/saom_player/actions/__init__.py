"""The actions that a client may call, by AI2-THOR's names, arguments and errors."""

"""What calls said, kept once: messages, tool lists and long texts by their content, conversations as a tree."""

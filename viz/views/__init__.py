"""Views: what people call, from a cell or a tensor to a drawing."""

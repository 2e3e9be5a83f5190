// Placeholder of the module; replaced by its first type.

"""What is neither tracing nor the map: plugins on the API's context, the store's protocol and the command line."""

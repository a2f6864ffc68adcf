//! A server as a store: the client against a real one, over real connections.

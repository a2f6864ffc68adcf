//! The management verbs on a real store, with a clock that the test moves and randomness that it seeds.

mod installation;
mod tokens;
mod world;

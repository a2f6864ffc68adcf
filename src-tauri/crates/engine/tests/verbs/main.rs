//! The management verbs on a real store, with a clock that the test moves and randomness that it seeds.

mod audit;
mod deletions;
mod export;
mod governance;
mod installation;
mod members;
mod sessions;
mod tokens;
mod world;

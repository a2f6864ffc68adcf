//! Consent and renewal against a real authorization server: npm `oidc-provider` (tests/peers/oidc.mjs), with rotating
//! refresh tokens and reuse detection. Only what a sound provider never does is brought about by changing its answers on
//! the way.

#[cfg(test)]
mod clients;
#[cfg(test)]
#[path = "../../../store/tests/suite/cluster.rs"]
mod cluster;
#[cfg(test)]
mod end_users;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod legs;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod person;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod world;

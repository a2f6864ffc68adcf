//! Consent and renewal against a real authorization server: npm `oidc-provider` (tests/peers/oidc.mjs), with rotating
//! refresh tokens and reuse detection. What a sound provider never does comes of npm `oauth2-mock-server` (tests/peers/forged.mjs).

#[cfg(test)]
mod ahead;
#[cfg(test)]
mod clients;
#[cfg(test)]
#[path = "../../../store/tests/suite/cluster.rs"]
mod cluster;
#[cfg(test)]
mod device;
#[cfg(test)]
mod end_users;
#[cfg(test)]
mod ended;
#[cfg(test)]
mod flight;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod forged;
#[cfg(test)]
mod legs;
#[cfg(test)]
mod office;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod person;
#[cfg(test)]
mod preflight;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod revoking;
#[cfg(test)]
mod service;
#[cfg(test)]
mod world;

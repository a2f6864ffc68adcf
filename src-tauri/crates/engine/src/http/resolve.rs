//! Names to addresses, with every address judged after resolution: a name that points into a private network is refused
//! at the moment of connecting, so a name that changes its mind between a check and the connection gains nothing.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::NetworkPolicy;

/// Asks for the addresses of a name.
pub trait Lookup: Send + Sync + 'static {
    /// Every address of `name`.
    fn addresses(&self, name: String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;
}

/// The operating system's resolver.
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, name: String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// Every address of the name is forbidden.
#[derive(Debug, thiserror::Error)]
#[error("the name points at an address that is not allowed")]
pub(crate) struct ForbiddenAddress;

/// Hands out allowed addresses only.
pub(crate) struct GuardedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) policy: NetworkPolicy,
    pub(crate) tls: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.lookup.addresses(name.as_str().to_owned());
        let (policy, tls) = (self.policy, self.tls);
        Box::pin(async move {
            let found = found.await?;
            let allowed: Vec<SocketAddr> = found.iter().filter(|address| policy.allows(**address, tls)).map(|address| SocketAddr::new(*address, 0)).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(ForbiddenAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

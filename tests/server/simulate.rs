//! Simulated providers on a real socket: faults of the wire are what they say.

use std::net::SocketAddr;
use std::sync::Arc;

use patchbay_model::{Code, ProviderId};
use patchbay_providers::Catalog;
use patchbay_server::Simulated;
use patchbay_simulator::{Fault, FaultOrder, Simulator};
use patchbay_vault::system_context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn start() -> (Simulator, Simulated) {
    let catalog = Catalog::builtin().unwrap();
    let simulator = Simulator::of(&[Arc::clone(catalog.find("ticketing_jira").unwrap())], system_context());
    let simulated = Simulated::start(simulator.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    (simulator, simulated)
}

/// What comes back for a token request before the connection ends, as far as `most` bytes.
async fn token_request(address: SocketAddr, most: usize) -> Vec<u8> {
    let body = r#"{"grant_type":"refresh_token","refresh_token":"x","client_id":"sim_client_ticketing_jira","client_secret":"sim_secret_ticketing_jira"}"#;
    let head =
        format!("POST /auth.atlassian.com/oauth/token HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    // A connection that was reset has ended too.
    let _ = stream.take(most as u64).read_to_end(&mut read).await;
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_wire_are_real() {
    let (simulator, simulated) = start().await;
    let address = simulated.address();
    let whole = String::from_utf8(token_request(address, usize::MAX).await).unwrap();
    assert!(whole.starts_with("HTTP/1.1 4") && whole.ends_with('}') && whole.contains("unauthorized_client"), "{whole}");

    simulator.order(FaultOrder::once(Fault::LoseBefore));
    assert!(token_request(address, usize::MAX).await.is_empty(), "the connection ends without a byte");
    simulator.order(FaultOrder::once(Fault::LoseAfter));
    assert!(token_request(address, usize::MAX).await.is_empty());
    let log = simulator.log();
    assert_eq!(
        log.iter().map(|entry| (entry.outcome.as_str(), entry.delivered)).collect::<Vec<_>>(),
        [("unauthorized_client", true), ("fault", false), ("unauthorized_client", false)]
    );

    simulator.order(FaultOrder::once(Fault::Truncated));
    let half = String::from_utf8(token_request(address, usize::MAX).await).unwrap();
    let (head, body) = half.split_once("\r\n\r\n").unwrap();
    let promised: usize = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(|length| length.parse().unwrap())).unwrap();
    assert!(body.len() < promised, "{promised} bytes are promised and {} come", body.len());

    simulator.order(FaultOrder::once(Fault::Endless));
    let most = 4 << 20;
    assert_eq!(token_request(address, most).await.len(), most, "as much comes as anybody reads");
    drop(simulated);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_reach_them() {
    let (simulator, simulated) = start().await;
    let problem = Simulated::start(simulator.clone(), "0.0.0.0:0".parse().unwrap()).await.err().unwrap();
    assert_eq!(problem.code, Code::InvalidRequest);
    let rehearsal = simulated.rehearsal().unwrap();
    let shown = rehearsal.address(&"https://auth.atlassian.com/authorize?x=1".parse().unwrap());
    assert_eq!(shown.as_str(), format!("http://{}/auth.atlassian.com/authorize?x=1", simulated.address()));
    assert!(simulator.setup(&ProviderId::parse("ticketing_redmine").unwrap()).is_none(), "only the providers that were asked for");
}

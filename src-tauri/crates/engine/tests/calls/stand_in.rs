//! A provider on loopback that answers as it is told and remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type Answer = dyn Fn(&str) -> (u16, String) + Send + Sync;

pub(crate) struct StandIn {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Arc<Answer>>>,
    /// Lines that every answer's head has too.
    pub(crate) head: Arc<Mutex<String>>,
}

impl StandIn {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<Mutex<Arc<Answer>>> = Arc::new(Mutex::new(Arc::new(|_: &str| (500, "{}".to_owned()))));
        let head = Arc::new(Mutex::new(String::new()));
        let (log, script, more) = (Arc::clone(&seen), Arc::clone(&answer), Arc::clone(&head));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (log, script, more) = (Arc::clone(&log), Arc::clone(&script), Arc::clone(&more));
                tokio::spawn(async move {
                    let mut kept = Vec::new();
                    let mut chunk = [0; 65536];
                    loop {
                        let end = loop {
                            let text = String::from_utf8_lossy(&kept).to_lowercase();
                            if let Some(head) = text.find("\r\n\r\n") {
                                let length: usize = text[..head].lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
                                if kept.len() >= head + 4 + length {
                                    break head + 4 + length;
                                }
                            }
                            match stream.read(&mut chunk).await {
                                Ok(0) | Err(_) => return,
                                Ok(read) => kept.extend_from_slice(&chunk[..read]),
                            }
                        };
                        let request = String::from_utf8_lossy(&kept[..end]).into_owned();
                        kept.drain(..end);
                        let make = Arc::clone(&script.lock().unwrap());
                        let (status, body) = make(&request);
                        log.lock().unwrap().push(request);
                        let more = more.lock().unwrap().clone();
                        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{more}content-length: {}\r\n\r\n", body.len());
                        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, seen, answer, head }
    }

    /// From now on, requests are answered like this.
    pub(crate) fn answers(&self, answer: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn last(&self) -> String {
        self.seen.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

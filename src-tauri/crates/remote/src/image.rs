//! Images of an organization, which travel as files.

use std::fs::File;
use std::time::Duration;

use patchbay_model::{Operation, Secret};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Body, Method};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::answer::{self, Outcome};
use crate::client::{Client, Failure};
use crate::transport::{Answered, Lost};

/// How an image travels.
const BYTES: &str = "application/octet-stream";

/// How long a server may think about an image; the larger it is, the longer.
const PATIENCE: Duration = Duration::from_secs(3600);

impl Client {
    /// The recipient to whom an image must be sealed that the server is to take.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn image_recipient(&self) -> Result<String, Failure> {
        let answered = self.call(Operation::ConfigurationRecipient.id(), &json!({})).await?;
        let recipient = answered.pointer("/result/recipient").and_then(Value::as_str);
        recipient.map(ToOwned::to_owned).ok_or_else(|| Failure::Lost(self.broken(&"it named no recipient")))
    }

    /// Writes the caller's organization, sealed to the recipient, into an open file. Gives the file back.
    ///
    /// # Errors
    /// As [`Client::call`]; [`Failure::Lost`] also when the disk here is full.
    pub async fn fetch_image(&self, recipient: &str, into: File) -> Result<File, Failure> {
        let access = self.access().await?;
        let request = self.patient(Method::POST, "/v1/x/configuration/copy", &access)?.header(ACCEPT, BYTES).header(CONTENT_TYPE, "application/json");
        let mut response = request.body(json!({ "recipient": recipient }).to_string()).send().await.map_err(|error| self.cut(error))?;
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let mut file = tokio::fs::File::from_std(into);
        let full = |error: std::io::Error| {
            Failure::Lost(Lost {
                words: format!("The image of {} cannot be written here: {error}. Free some space in the temporary folder.", self.url()),
                unsent: false,
                slow: false,
            })
        };
        while let Some(part) = response.chunk().await.map_err(|error| self.cut(error))? {
            file.write_all(&part).await.map_err(full)?;
        }
        file.flush().await.map_err(full)?;
        Ok(file.into_std().await)
    }

    /// Sends an image that is sealed to the server's recipient; the file is read from its present place. Gives what came of it.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn send_image(&self, image: File) -> Result<Value, Failure> {
        let access = self.access().await?;
        let request = self.patient(Method::POST, "/v1/x/configuration/fill", &access)?.header(CONTENT_TYPE, BYTES);
        let response = request.body(Body::from(tokio::fs::File::from_std(image))).send().await.map_err(|error| self.cut(error))?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|error| self.cut(error))?.to_vec();
        match answer::read(self.url(), &Answered { status, body }) {
            Outcome::Done(mut answered) => Ok(answered.get_mut("result").map(Value::take).unwrap_or_default()),
            Outcome::Refused(problem) => Err(Failure::Problem(problem)),
            Outcome::Foreign(lost) => Err(Failure::Lost(lost)),
        }
    }

    fn patient(&self, method: Method, path: &str, access: &Secret) -> Result<reqwest::RequestBuilder, Failure> {
        Ok(self.transport().patient(method, path, access).map_err(Failure::Lost)?.timeout(PATIENCE))
    }

    fn cut(&self, error: reqwest::Error) -> Failure {
        Failure::Lost(self.lost(error))
    }

    async fn refused(&self, response: reqwest::Response) -> Failure {
        let status = response.status().as_u16();
        match response.bytes().await {
            Err(error) => self.cut(error),
            Ok(body) => match answer::read(self.url(), &Answered { status, body: body.to_vec() }) {
                Outcome::Refused(problem) => Failure::Problem(problem),
                Outcome::Foreign(lost) => Failure::Lost(lost),
                Outcome::Done(_) => Failure::Lost(self.broken(&"it gave no image")),
            },
        }
    }
}

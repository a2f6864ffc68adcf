//! Files on their way through JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_model::connector::ticketing::CreateAttachment;
use patchbay_model::{Code, Problem};

/// Largest file that is taken, in bytes.
pub(crate) const MAX_FILE: usize = 32 << 20;

/// Takes the file out of a request: a name without a path, and its bytes.
pub(crate) fn decode(attachment: &CreateAttachment) -> Result<(String, Vec<u8>), Problem> {
    let name = attachment.file_name.trim();
    if name.is_empty() || name.chars().count() > 200 || name == "." || name == ".." || name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\')) {
        return Err(Problem::field("/file_name", "The file name must be 1 to 200 characters without `/`, `\\` and line breaks. Correct it."));
    }
    if attachment.content.len() / 4 > MAX_FILE / 3 {
        return Err(Problem::new(Code::PayloadTooLarge, format!("The file is larger than {} MiB. Attach a smaller one.", MAX_FILE >> 20)).at_body("/content"));
    }
    let bytes = STANDARD
        .decode(attachment.content.as_bytes())
        .map_err(|_| Problem::field("/content", "The content must be Base64 (RFC 4648 section 4, with padding). Encode the file so."))?;
    Ok((name.to_owned(), bytes))
}

/// Base64 of a file.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The media type that a file's name suggests.
pub(crate) fn media_type(file_name: &str) -> &'static str {
    let extension = file_name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("txt" | "log") => "text/plain",
        Some("md") => "text/markdown",
        Some("csv") => "text/csv",
        Some("html" | "htm") => "text/html",
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

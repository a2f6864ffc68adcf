//! The web interface, as it was built into the program.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use patchbay_model::Problem;

use crate::answer::{self, Stamp};
use crate::gate::Head;

/// One file of the interface.
pub(crate) struct File {
    path: &'static str,
    etag: &'static str,
    content: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/ui.rs"));

/// What no route of the table serves: files of the interface, or nothing.
pub(crate) fn answer(head: &Head, stamp: Stamp) -> Response {
    let path = match head.uri.path() {
        "/" => "/index.html",
        path => path,
    };
    let file = FILES.iter().find(|file| file.path == path);
    match (file, head.method.as_str()) {
        (Some(file), "GET" | "HEAD") => serve(file, head),
        (Some(_), method) => answer::method_not_allowed(method, path, "GET, HEAD", stamp),
        (None, _) => answer::problem(&Problem::not_found("page or route", head.uri.path()), stamp),
    }
}

fn serve(file: &'static File, head: &Head) -> Response {
    let known = head.headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    let fresh = known.map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == file.etag || tag == "*");
    let mut response = Response::new(if fresh { Body::empty() } else { Body::from(file.content) });
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_static(file.etag));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(file.path)));
    // The builder puts a hash of the content into the names under /assets.
    let cache = if file.path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

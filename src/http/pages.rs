//! The files that browsers load, built into the binary.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha1::{Digest, Sha1};

use super::error::insert;

/// Nothing from elsewhere, nothing inline. `blob:` and `data:` are for pictures and media that the page itself makes.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     media-src 'self' blob: mediastream:; font-src 'self'; connect-src 'self' ws: wss:; worker-src 'self'; \
     manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";
const PERMISSIONS_POLICY: &str = "camera=(self), microphone=(self), display-capture=(self), geolocation=()";

struct Asset {
    path: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($path:literal),* $(,)?) => {
        &[$(Asset {
            path: $path,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/web", $path)),
        }),*]
    };
}

/// Every file of `web/` that is served, at its own path.
const ASSETS: &[Asset] = assets![
    "/app.js",
    "/icon.svg",
    "/index.html",
    "/page/call.js",
    "/page/chat.js",
    "/page/controls.js",
    "/page/details.js",
    "/page/devices.js",
    "/page/dom.js",
    "/page/door.js",
    "/page/focus.js",
    "/page/hands.js",
    "/page/invite.js",
    "/page/layout.js",
    "/page/media.js",
    "/page/panel.js",
    "/page/people.js",
    "/page/qr.js",
    "/page/slow.js",
    "/page/tile.js",
    "/page/view.js",
    "/page/words.js",
    "/page/words/de.js",
    "/page/words/en.js",
    "/page/words/ru.js",
    "/page/words/zh.js",
    "/roundturn.js",
    "/roundturn/data.js",
    "/roundturn/devices.js",
    "/roundturn/encryption-worker.js",
    "/roundturn/encryption.js",
    "/roundturn/encodings.js",
    "/roundturn/error.js",
    "/roundturn/mesh.js",
    "/roundturn/publications.js",
    "/roundturn/sfu.js",
    "/roundturn/signaling.js",
    "/roundturn/stats.js",
    "/roundturn/watch.js",
    "/style.css",
];

static ETAGS: LazyLock<Vec<HeaderValue>> = LazyLock::new(|| {
    let etag = |asset: &Asset| {
        let digest: String = Sha1::digest(asset.bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""))
    };
    ASSETS.iter().map(etag).collect()
});

/// The page at a path: a file, or the meeting page for the links that lead to it.
pub fn page(path: &str, headers: &HeaderMap) -> Option<Response> {
    let index = index_of(path)?;
    let (asset, etag) = (ASSETS.get(index)?, ETAGS.get(index)?.clone());
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type(asset.path))], asset.bytes).into_response()
    };
    response.headers_mut().insert(header::ETAG, etag);
    insert(&mut response, header::CACHE_CONTROL, "no-cache");
    insert(&mut response, header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    insert(&mut response, header::HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY);
    Some(response)
}

/// Whether there is a page at a path.
pub fn has(path: &str) -> bool {
    index_of(path).is_some()
}

fn index_of(path: &str) -> Option<usize> {
    let path = if path == "/" || path.starts_with("/room/") { "/index.html" } else { path };
    ASSETS.iter().position(|asset| asset.path == path)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Types are for editors, and what makes a package of it is for those who bundle.
    fn is_served(path: &str) -> bool {
        !path.ends_with(".d.ts") && path != "/package.json"
    }

    fn files(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_file_of_web_is_served_with_its_type() {
        let web = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
        let mut found = Vec::new();
        files(Path::new(web), &mut found);
        let mut found: Vec<_> =
            found.iter().filter_map(|path| path.strip_prefix(web)).filter(|p| is_served(p)).collect();
        found.sort_unstable();
        let mut listed: Vec<_> = ASSETS.iter().map(|asset| asset.path).collect();
        listed.sort_unstable();
        assert_eq!(found, listed);
        assert!(listed.iter().all(|path| content_type(path) != "application/octet-stream"));
    }
}

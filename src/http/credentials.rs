//! `/turn/credentials` and `/api/ice-servers`: TURN credentials for programs with an API key, the latter also for people
//! with a token.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Uri, header};
use serde::Serialize;
use serde_json::Value;

use super::AppState;
use super::error::ApiError;
use super::source::{Source, bearer};
use crate::moment::rfc3339;
use crate::signal::protocol::IceServer;
use crate::signal::{Api, Issued, Order, Proof};

/// What `/turn/credentials` answers: the REST API for TURN (draft-uberti-behave-turn-rest), as Janus and others ask it.
#[derive(Serialize)]
pub struct Credentials {
    username: String,
    password: String,
    ttl: u64,
    uris: Vec<String>,
}

/// What `/api/ice-servers` answers: for `RTCPeerConnection`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IceServers {
    ice_servers: Vec<IceServer>,
    ttl: u64,
    expires_at: String,
}

/// `GET`, `POST /turn/credentials`
pub async fn credentials(
    State(state): State<AppState>,
    Source(from): Source,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Credentials>, ApiError> {
    let request = Request::new(&uri, &headers, &body?)?;
    let proof = Proof::Key(request.key(&state)?);
    if request.field("service").is_some_and(|service| !service.is_empty() && service != "turn") {
        return Err(ApiError::BadRequest("service is turn".into()));
    }
    let name = request.name();
    let issued = state.signal.issue(Order { from, proof, name, api: Api::TurnCredentials }).await??;
    let Issued { ice_servers, ttl_secs, .. } = issued;
    let turn = ice_servers.into_iter().find_map(|server| Some((server.username?, server.credential?, server.urls)));
    let (username, password, uris) = turn.ok_or(ApiError::Unavailable("there is no TURN server to offer"))?;
    let uris = request.digestible(request.wished(uris));
    if uris.is_empty() {
        let why = "Janus ends at IPv6 addresses in URIs, and there are no others; give address.external a name";
        return Err(ApiError::Internal(why.into()));
    }
    Ok(Json(Credentials { username, password, ttl: ttl_secs, uris }))
}

/// `GET /api/ice-servers`
pub async fn ice_servers(
    State(state): State<AppState>,
    Source(from): Source,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<IceServers>, ApiError> {
    let request = Request::new(&uri, &headers, &[])?;
    let proof = match request.token(&state) {
        Some(token) => Proof::Token(token.to_owned()),
        None => Proof::Key(request.key(&state)?),
    };
    let issued = state.signal.issue(Order { from, proof, name: request.name(), api: Api::IceServers }).await??;
    let expires_at = rfc3339(issued.expires_at_secs);
    Ok(Json(IceServers { ice_servers: issued.ice_servers, ttl: issued.ttl_secs, expires_at }))
}

/// The fields of a request: those of its query, then those of its form or its JSON object.
struct Request<'a> {
    fields: Vec<(String, String)>,
    headers: &'a HeaderMap,
}

impl<'a> Request<'a> {
    fn new(uri: &Uri, headers: &'a HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let form = if content_type.starts_with("application/x-www-form-urlencoded") { body } else { &[] };
        let query = uri.query().unwrap_or_default().as_bytes();
        let mut fields: Vec<_> =
            [query, form].into_iter().flat_map(|text| form_urlencoded::parse(text).into_owned()).collect();
        if content_type.starts_with("application/json") && !body.is_empty() {
            fields.extend(members(body)?);
        }
        Ok(Self { fields, headers })
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The number of the key that was shown; `None`: it is none of ours, which counts like any other try. Janus shows it twice,
    /// as `key` and as `api`.
    fn key(&self, state: &AppState) -> Result<Option<usize>, ApiError> {
        if state.keys.is_empty() {
            return Err(ApiError::Forbidden("this API is closed; setting auth.api_keys opens it".into()));
        }
        let shown = [self.header("x-api-key"), bearer(self.headers), self.field("key"), self.field("api")];
        let mut shown = shown.into_iter().flatten().filter(|key| !key.is_empty()).peekable();
        if shown.peek().is_none() {
            return Err(ApiError::Unauthorized(
                "needs an API key, as key in the query or a form, or as the header X-API-Key or Authorization: Bearer",
            ));
        }
        Ok(shown.find_map(|key| state.keys.find(key)))
    }

    /// A token for rooms, told from an API key by its three parts, which must be none of the keys.
    fn token(&self, state: &AppState) -> Option<&str> {
        bearer(self.headers).filter(|shown| shown.split('.').count() == 3 && state.keys.find(shown).is_none())
    }

    /// Whom the credential is for. Selkies sends it as a header too.
    fn name(&self) -> Option<String> {
        self.field("username").or_else(|| self.header("x-auth-user")).map(str::to_owned)
    }

    /// The URIs without those that end the asking program: Janus 1.1.2 crashes at an IPv6 address in brackets.
    fn digestible(&self, mut uris: Vec<String>) -> Vec<String> {
        if self.header("user-agent").is_some_and(|agent| agent.starts_with("Janus")) {
            uris.retain(|uri| !uri.contains('['));
        }
        uris
    }

    /// The URIs of the transport that Selkies wishes by its headers; all, where there is none of them or no wish.
    fn wished(&self, uris: Vec<String>) -> Vec<String> {
        let tls = self.header("x-turn-tls").map(|tls| if tls == "true" { "turns:" } else { "turn:" });
        let transport = self.header("x-turn-protocol").map(|protocol| format!("transport={protocol}"));
        let fits = |uri: &&String| {
            tls.is_none_or(|scheme| uri.starts_with(scheme))
                && transport.as_ref().is_none_or(|transport| uri.ends_with(transport.as_str()))
        };
        let wished: Vec<_> = uris.iter().filter(fits).cloned().collect();
        if wished.is_empty() { uris } else { wished }
    }
}

/// The members of a JSON object that are texts.
fn members(body: &[u8]) -> Result<impl Iterator<Item = (String, String)>, ApiError> {
    let object: serde_json::Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| ApiError::BadRequest(format!("the body is to be a JSON object, and is not: {error}")))?;
    Ok(object.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    }))
}

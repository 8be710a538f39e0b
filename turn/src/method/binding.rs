//! Binding (RFC 8489 §3): what address do you see? Answered without memory, and with nothing more than the address.

use crate::method::{Refusal, Request, Success, refuse_unknown};

pub(crate) fn binding(request: &Request<'_>) -> Result<Success, Refusal> {
    refuse_unknown(&request.message)?;
    Ok(Success::Mapped)
}

//! Binding (RFC 8489 §3): what address do you see? Answered without memory, and with nothing more than the address.

use crate::method::{Refusal, Request, Success, refuse_unknown};
use crate::server::Server;

impl Server {
    pub(crate) fn binding(&self, request: &Request<'_>) -> Result<Success, Refusal> {
        if let Some(discovery) = self.config.discovery.filter(|discovery| discovery.is_reached_by(&request.from)) {
            return discovery.answer(request);
        }
        refuse_unknown(&request.message)?;
        Ok(Success::Mapped)
    }
}

//! ConnectionBind (RFC 6062 §5.4): the stream that it comes on becomes the client's half of a connection with a peer.

use crate::error::Code;
use crate::message::attribute;
use crate::method::{Refusal, Request, RequestMethod, Success};
use crate::server::Server;
use crate::tcp_allocation::{ConnectionId, IDLE, State};

impl Server {
    pub(crate) fn connection_bind(&mut self, request: &Request<'_>, username: &str) -> Result<Success, Refusal> {
        // A stream with an allocation is a control connection, and stays one.
        if !request.from.transport.is_stream() || self.table.slot_of(&request.from).is_some() {
            return Err(Code::BadRequest.into());
        }
        let id = self.wanted_connection(request).ok_or(Code::BadRequest)?;
        let slot = self.slot_of_connection(id).ok_or(Code::BadRequest)?;
        let allocation = self.table.get_mut(slot).ok_or(Code::BadRequest)?;
        if !allocation.is_alive(request.now) {
            return Err(Code::BadRequest.into());
        }
        if *allocation.username != *username {
            return Err(Code::WrongCredentials.into());
        }
        let connection = allocation.tcp.as_mut().and_then(|tcp| tcp.find(id)).ok_or(Code::BadRequest)?;
        if !matches!(connection.state, State::Unbound) || connection.expires <= request.now {
            return Err(Code::BadRequest.into());
        }
        connection.state = State::Bound;
        connection.expires = request.now + IDLE;
        Ok(Success::Bound { connection: id })
    }

    /// The connection that a ConnectionBind is about.
    pub(crate) fn wanted_connection(&self, request: &Request<'_>) -> Option<ConnectionId> {
        let is_bind = request.method == RequestMethod::ConnectionBind;
        request.message.number(attribute::CONNECTION_ID).filter(|_| is_bind).map(ConnectionId)
    }
}

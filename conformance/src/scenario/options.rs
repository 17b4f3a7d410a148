//! The settings of a scenario.

use serde::{Deserialize, Serialize};

/// Settings of server, handler and transport; `None` leaves CPython's default, or ours.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(default)]
pub struct Options {
    /// The server's `timeout`, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// The timeout of the listening socket, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket_timeout: Option<u64>,
    /// `poll_interval` in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_interval: Option<u64>,
    /// The stream handler's `timeout`, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler_timeout: Option<u64>,
    /// The stream handler's `rbufsize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rbufsize: Option<usize>,
    /// The stream handler's `wbufsize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wbufsize: Option<usize>,
    /// `disable_nagle_algorithm`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_nagle_algorithm: bool,
    /// `max_packet_size` of a datagram server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_packet_size: Option<usize>,
    /// `max_children` of a forking server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_children: Option<usize>,
    /// How long the whole scenario may take, in milliseconds, before it counts as hanging.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

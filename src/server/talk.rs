//! What a server says unasked: notices and settings. Kept within bounds, whatever it sends.

use std::collections::BTreeMap;

use postgres_protocol::message::backend::{NoticeResponseBody, ParameterStatusBody};

use super::failure::ServerError;

/// Notices beyond these are counted, not kept: a restore can raise one a statement.
const NOTICES_MAX: usize = 1_000;
const NOTICE_BYTES_MAX: usize = 1 << 20;

/// A server reports about twenty settings. What is not kept is none that this program looks at.
const SETTINGS_MAX: usize = 200;
const SETTING_BYTES_MAX: usize = 4 << 10;

#[derive(Default)]
pub(super) struct Talk {
    settings: BTreeMap<String, String>,
    notices: Vec<ServerError>,
    notice_bytes: usize,
    dropped: u64,
}

impl Talk {
    pub(super) fn set(&mut self, body: &ParameterStatusBody) {
        // a name or value that is no UTF-8 is none that this program looks at
        let (Ok(name), Ok(value)) = (body.name(), body.value()) else { return };
        let is_known = self.settings.contains_key(name);
        if name.len() + value.len() <= SETTING_BYTES_MAX && (is_known || self.settings.len() < SETTINGS_MAX) {
            self.settings.insert(name.to_owned(), value.to_owned());
        }
    }

    pub(super) fn notice(&mut self, body: &NoticeResponseBody) {
        if self.notices.len() >= NOTICES_MAX || self.notice_bytes >= NOTICE_BYTES_MAX {
            self.dropped += 1;
            return;
        }
        let notice = ServerError::decode_notice(body);
        self.notice_bytes += notice.text_bytes();
        self.notices.push(notice);
    }

    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    pub(super) fn take_notices(&mut self) -> Vec<ServerError> {
        self.notice_bytes = 0;
        std::mem::take(&mut self.notices)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

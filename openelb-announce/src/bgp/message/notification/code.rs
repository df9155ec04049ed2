//! The names of all errors, each with the RFC that defines it.

use std::fmt;

/// What a NOTIFICATION is about: a code and, inside it, a subcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode {
    /// The group of errors: 1 message header, 2 OPEN, 3 UPDATE, 4 hold timer, 5 state machine, 6
    /// cease, 7 ROUTE-REFRESH, 8 send hold timer.
    pub code: u8,
    /// The error in its group; 0 is unspecific.
    pub subcode: u8,
}

/// Declares every error once: its constant, its numbers, its words and its RFC.
macro_rules! error_codes {
    ($($name:ident $code:literal / $subcode:literal $words:literal $rfc:literal;)+) => {
        impl ErrorCode {
            $(
                #[doc = concat!($words, " (RFC ", $rfc, ").")]
                pub const $name: Self = Self { code: $code, subcode: $subcode };
            )+
        }

        const NAMED: &[(ErrorCode, &str, u16)] = &[$((ErrorCode::$name, $words, $rfc)),+];
    };
}

error_codes! {
    HEADER 1/0 "unspecific message header error" 4271;
    NOT_SYNCHRONIZED 1/1 "connection not synchronized" 4271;
    BAD_MESSAGE_LENGTH 1/2 "bad message length" 4271;
    BAD_MESSAGE_TYPE 1/3 "bad message type" 4271;
    OPEN 2/0 "malformed or unspecific OPEN" 4271;
    UNSUPPORTED_VERSION 2/1 "unsupported version number" 4271;
    BAD_PEER_AS 2/2 "bad peer AS" 4271;
    BAD_BGP_IDENTIFIER 2/3 "bad BGP identifier" 4271;
    UNSUPPORTED_OPTIONAL_PARAMETER 2/4 "unsupported optional parameter" 4271;
    UNACCEPTABLE_HOLD_TIME 2/6 "unacceptable hold time" 4271;
    UNSUPPORTED_CAPABILITY 2/7 "unsupported capability" 5492;
    ROLE_MISMATCH 2/11 "role mismatch" 9234;
    UPDATE 3/0 "unspecific UPDATE error" 4271;
    MALFORMED_ATTRIBUTE_LIST 3/1 "malformed attribute list" 4271;
    UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE 3/2 "unrecognized well-known attribute" 4271;
    MISSING_WELL_KNOWN_ATTRIBUTE 3/3 "missing well-known attribute" 4271;
    ATTRIBUTE_FLAGS 3/4 "attribute flags error" 4271;
    ATTRIBUTE_LENGTH 3/5 "attribute length error" 4271;
    INVALID_ORIGIN 3/6 "invalid ORIGIN attribute" 4271;
    INVALID_NEXT_HOP 3/8 "invalid NEXT_HOP attribute" 4271;
    OPTIONAL_ATTRIBUTE 3/9 "optional attribute error" 4271;
    INVALID_NETWORK_FIELD 3/10 "invalid network field" 4271;
    MALFORMED_AS_PATH 3/11 "malformed AS_PATH" 4271;
    HOLD_TIMER_EXPIRED 4/0 "hold timer expired" 4271;
    STATE_MACHINE 5/0 "unspecific state machine error" 6608;
    UNEXPECTED_IN_OPEN_SENT 5/1 "unexpected message in OpenSent" 6608;
    UNEXPECTED_IN_OPEN_CONFIRM 5/2 "unexpected message in OpenConfirm" 6608;
    UNEXPECTED_IN_ESTABLISHED 5/3 "unexpected message in Established" 6608;
    CEASE 6/0 "cease" 4271;
    MAXIMUM_PREFIXES 6/1 "cease: maximum number of prefixes reached" 4486;
    ADMINISTRATIVE_SHUTDOWN 6/2 "cease: administrative shutdown" 4486;
    PEER_DECONFIGURED 6/3 "cease: peer de-configured" 4486;
    ADMINISTRATIVE_RESET 6/4 "cease: administrative reset" 4486;
    CONNECTION_REJECTED 6/5 "cease: connection rejected" 4486;
    OTHER_CONFIGURATION_CHANGE 6/6 "cease: other configuration change" 4486;
    CONNECTION_COLLISION 6/7 "cease: connection collision resolution" 4486;
    OUT_OF_RESOURCES 6/8 "cease: out of resources" 4486;
    HARD_RESET 6/9 "cease: hard reset" 8538;
    BFD_DOWN 6/10 "cease: BFD down" 9384;
    ROUTE_REFRESH 7/0 "unspecific ROUTE-REFRESH error" 7313;
    ROUTE_REFRESH_LENGTH 7/1 "invalid ROUTE-REFRESH length" 7313;
    SEND_HOLD_TIMER_EXPIRED 8/0 "send hold timer expired" 9687;
}

impl ErrorCode {
    /// What the RFC calls it; the name of its group when the subcode has none.
    pub fn words(self) -> &'static str {
        let exact = NAMED.iter().find(|(error, ..)| *error == self);
        exact.map_or_else(|| self.group(), |(_, words, _)| words)
    }

    /// The number of the RFC that defines it; `None` for one without a name.
    pub fn rfc(self) -> Option<u16> {
        let exact = NAMED.iter().find(|(error, ..)| *error == self);
        exact.map(|(.., rfc)| *rfc)
    }

    /// Whether its data are words for the operator (RFC 9003 section 2).
    pub fn carries_communication(self) -> bool {
        matches!(
            self,
            Self::ADMINISTRATIVE_SHUTDOWN | Self::ADMINISTRATIVE_RESET
        )
    }

    /// The name of the group, as a phrase of its own.
    const fn group(self) -> &'static str {
        match self.code {
            1 => "message header error",
            2 => "OPEN message error",
            3 => "UPDATE message error",
            4 => "hold timer expired",
            5 => "state machine error",
            6 => "cease",
            7 => "ROUTE-REFRESH message error",
            8 => "send hold timer expired",
            _ => "unknown error",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}/{}", self.words(), self.code, self.subcode)?;
        match self.rfc() {
            Some(rfc) => write!(f, ", RFC {rfc})"),
            None => f.write_str(")"),
        }
    }
}

//! The control socket's protocol: one JSON object a line, a question up, an answer down.

mod client;

use serde::{Deserialize, Serialize};

use crate::engine::{Answer, PROTOCOL, Question};
use crate::exit_code::{ExitCode, Failure};

pub(crate) use self::client::{Connection, connect};

/// A question on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope {
    /// Version of the protocol, [`PROTOCOL`].
    pub(crate) version: u32,
    /// The question.
    pub(crate) question: Question,
}

/// An answer on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    /// Version of the protocol, [`PROTOCOL`].
    pub(crate) version: u32,
    /// The answer, or why there is none.
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// The two ends of a question.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Outcome {
    /// The answer.
    Answer(Answer),
    /// Why there is none.
    Failure(Failure),
}

/// Reads a question as it came over the wire.
pub(crate) fn parse_question(line: &[u8]) -> Result<Question, Failure> {
    // The version first: a question of another version need not be readable at all.
    let head: Version = serde_json::from_slice(line).map_err(|error| {
        Failure::new(
            ExitCode::Invalid,
            format!("the request is not a JSON object with a version: {error}"),
        )
        .next("send {\"version\":1,\"question\":{\"ask\":\"pools\"}} and a line break")
    })?;
    if head.version != PROTOCOL {
        let message = format!(
            "the request has version {}, this daemon speaks {PROTOCOL}",
            head.version
        );
        return Err(Failure::new(ExitCode::Invalid, message)
            .next("use the openelb command of the daemon's version"));
    }
    serde_json::from_slice::<Envelope>(line)
        .map(|envelope| envelope.question)
        .map_err(|error| {
            Failure::new(
                ExitCode::Invalid,
                format!("the question is not understood: {error}"),
            )
            .next("see docs/standalone.md, Control socket")
        })
}

/// The reply as a line, with its line break.
pub(crate) fn reply_line(outcome: Result<Answer, Failure>) -> Vec<u8> {
    let outcome = match outcome {
        Ok(answer) => Outcome::Answer(answer),
        Err(failure) => Outcome::Failure(failure),
    };
    let mut line = serde_json::to_vec(&Reply {
        version: PROTOCOL,
        outcome,
    })
    .expect("answers have text keys and no failing serialiser");
    line.push(b'\n');
    line
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// The longest request: 100,000 owners by name are about 5 MB.
pub(crate) const MAX_REQUEST_BYTES: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::{Envelope, Outcome, Reply, parse_question, reply_line};
    use crate::engine::{Answer, Holdings, PROTOCOL, Question};
    use crate::exit_code::{ExitCode, Failure};

    #[test]
    fn a_question_survives_the_wire() {
        let question = Question::Whois {
            address: "2001:db8::1".parse().unwrap(),
        };
        let envelope = Envelope {
            version: PROTOCOL,
            question: question.clone(),
        };
        let line = serde_json::to_string(&envelope).unwrap();
        assert_eq!(
            line,
            r#"{"version":1,"question":{"ask":"whois","address":"2001:db8::1"}}"#
        );
        assert_eq!(parse_question(line.as_bytes()), Ok(question));
    }

    #[test]
    fn both_ends_of_a_question_survive_the_wire() {
        let failure = Failure::new(ExitCode::NotFound, "no pool").next("see the list");
        for outcome in [Ok(Answer::Holdings(Holdings::default())), Err(failure)] {
            let line = reply_line(outcome.clone());
            assert_eq!(
                line.iter().position(|byte| *byte == b'\n'),
                Some(line.len() - 1)
            );
            let reply: Reply = serde_json::from_slice(&line).unwrap();
            let got = match reply.outcome {
                Outcome::Answer(answer) => Ok(answer),
                Outcome::Failure(failure) => Err(failure),
            };
            assert_eq!(got, outcome);
        }
    }

    #[test]
    fn hostile_lines_are_refused_with_a_next_step() {
        let deep = "[".repeat(100_000);
        for line in [
            "",
            "\u{0}",
            "5",
            "[]",
            "{}",
            "{\"version\":2}",
            "{\"version\":-1}",
            deep.as_str(),
            "{\"version\":1}",
            "{\"version\":1,\"question\":{\"ask\":\"drop\"}}",
            "{\"version\":1,\"question\":{\"ask\":\"whois\",\"address\":\"10.0.0.300\"}}",
        ] {
            let failure = parse_question(line.as_bytes()).expect_err("not a question");
            assert!(failure.next.is_some(), "{failure}");
            assert_eq!(failure.code, ExitCode::Invalid);
        }
    }
}

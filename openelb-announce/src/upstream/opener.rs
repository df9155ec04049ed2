//! Opens the sockets that advertisements are heard on: the only thread here with a capability.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use caps::Capability;
use nix::sys::eventfd::EventFd;

use crate::driver::privileges::{self, Privileges};
use crate::link::router_socket::RouterSocket;

/// A handle of the thread. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Opener {
    // At most one open question for each link that is listened to.
    questions: Sender<Question>,
    answers: Receiver<Answer>,
}

#[derive(Debug)]
struct Question {
    wanted: usize,
    index: u32,
    name: String,
}

/// A socket, or why there is none.
#[derive(Debug)]
pub(super) struct Answer {
    /// Who asked.
    pub(super) wanted: usize,
    /// The number of the link.
    pub(super) index: u32,
    pub(super) socket: io::Result<RouterSocket>,
}

impl Opener {
    /// Starts the thread, which keeps `CAP_NET_RAW` if its creator has it, and nothing else. Without
    /// it the answers say so: other sources do not need it. `wake` is raised with every answer.
    pub(super) fn start(
        privileges: Privileges,
        wake: Arc<EventFd>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (questions, work) = channel::<Question>();
        let (reply, answers) = channel();
        let (proof, outcome) = channel();
        let thread = std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || {
                let prepared = match privileges {
                    Privileges::Drop => privileges::keep_only(&[Capability::CAP_NET_RAW]),
                    Privileges::Keep => Ok(()),
                };
                let is_ready = prepared.is_ok();
                // Whoever started the thread waits for this; if not, it ends with the questions.
                drop(proof.send(prepared.map_err(io::Error::other)));
                for Question {
                    wanted,
                    index,
                    name,
                } in work.into_iter().filter(|_| is_ready)
                {
                    let socket = RouterSocket::open(index, &name);
                    drop(reply.send(Answer {
                        wanted,
                        index,
                        socket,
                    }));
                    let _ = wake.write(1);
                }
            })?;
        let ended = || io::Error::other("the thread that opens sockets ended early");
        outcome.recv().map_err(|_| ended())??;
        Ok((Self { questions, answers }, thread))
    }

    /// Asks for a socket; the answer comes later.
    pub(super) fn ask(&self, wanted: usize, index: u32, name: &str) {
        let name = name.to_owned();
        // The thread ends only when this sender is gone.
        drop(self.questions.send(Question {
            wanted,
            index,
            name,
        }));
    }

    /// The next answer, if there is one already.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }
}

const THREAD_NAME: &str = "openelb-up-open";

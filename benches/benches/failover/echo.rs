//! The service behind the address: says which node answered.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// Answers on a thread of its own, for as long as this process runs, in the namespace of the caller.
pub(crate) fn serve(address: IpAddr, node: u8) {
    let socket = socket(address);
    std::thread::spawn(move || {
        get_ahead();
        let mut buffer = [0; 5];
        loop {
            if let Ok((4, client)) = socket.recv_from(&mut buffer) {
                buffer[4] = node;
                drop(socket.send_to(&buffer, client));
            }
        }
    });
}

/// Puts the calling thread ahead of ordinary ones, and behind what is measured as real-time: the
/// meter and the service must not wait for a processor where an announcer is made to.
#[expect(
    unsafe_code,
    reason = "neither nix nor socket2 wraps sched_setscheduler"
)]
pub(crate) fn get_ahead() {
    let parameters = libc::sched_param { sched_priority: 5 };
    // SAFETY: the kernel reads one `sched_param`, which outlives the call; 0 is this thread.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
}

/// Bound before the address is on the host: some announcers put it there only when they own it.
fn socket(address: IpAddr) -> UdpSocket {
    let target = SocketAddr::new(address, PORT);
    let socket = Socket::new(
        Domain::for_address(target),
        Type::DGRAM,
        Some(Protocol::UDP),
    );
    let socket = socket.unwrap();
    match address {
        IpAddr::V4(_) => socket.set_freebind_v4(true).unwrap(),
        IpAddr::V6(_) => socket.set_freebind_v6(true).unwrap(),
    }
    socket.bind(&target.into()).unwrap();
    socket.into()
}

/// Where the service listens.
pub(crate) const PORT: u16 = 7000;

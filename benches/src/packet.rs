//! A packet socket on one interface, for programs that ask and watch as a client would.
#![expect(
    unsafe_code,
    reason = "socket2 has no packet addresses; binding to one takes two lines"
)]

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

/// A socket that does not block and hears the frames of one EtherType on the interface with the
/// number `index`, in the network namespace of the calling thread.
pub fn socket(ethertype: libc::c_int, index: u32) -> Socket {
    let protocol = u16::try_from(ethertype)
        .expect("an EtherType has 16 bits")
        .to_be();
    // Without a protocol until it is bound: so nothing of other interfaces is ever queued.
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)));
    let socket = socket.expect("only root runs this");
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_ll` is a socket address that fits into the storage.
    let address: &mut libc::sockaddr_ll = unsafe { storage.view_as() };
    address.sll_family = u16::try_from(libc::AF_PACKET).expect("families have 16 bits");
    address.sll_protocol = protocol;
    address.sll_ifindex = index.cast_signed();
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>())
        .expect("addresses have some twenty octets");
    // SAFETY: the storage holds a valid address of exactly this length.
    let address = unsafe { SockAddr::new(storage, length) };
    socket.bind(&address).expect("the interface is there");
    socket
        .set_nonblocking(true)
        .expect("a socket can be told not to block");
    socket
}

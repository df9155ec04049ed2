//! Packet sockets: the one place of this crate that speaks to the kernel without a safe wrapper.
#![allow(
    unsafe_code,
    reason = "socket2 and nix have no packet addresses, packet memberships or recvmmsg into own buffers"
)]

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, SockFilter, Socket, Type};

use super::filter::{Filter, SNAP_LENGTH};
use crate::wire::Mac;

/// What kind of frames a packet socket hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EtherType {
    /// ARP packets.
    Arp,
    /// IPv6 packets; the filter picks neighbour discovery out of them.
    Ipv6,
}

/// A packet socket on one link. Opening one needs `CAP_NET_RAW`; using it needs nothing.
#[derive(Debug)]
pub(crate) struct PacketSocket {
    socket: Socket,
}

impl PacketSocket {
    /// Opens a socket that hears `filter`'s choice of the frames that link `index` receives.
    ///
    /// It starts with protocol 0, which hears nothing, and is bound after the filter is attached:
    /// no frame that the filter refuses is ever queued.
    pub(crate) fn open(index: u32, kind: EtherType, filter: &Filter) -> io::Result<Self> {
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
        socket.set_nonblocking(true)?;
        let socket = Self { socket };
        socket.set_filter(filter)?;
        // Own frames are not even looked at (Linux 4.20); the filter refuses them on older kernels.
        drop(socket.set_option(libc::PACKET_IGNORE_OUTGOING, &1_i32));
        // Room for a burst of some thousand requests; the kernel takes what rmem_max allows.
        drop(socket.socket.set_recv_buffer_size(RECEIVE_BUFFER));
        let ethertype = match kind {
            EtherType::Arp => libc::ETH_P_ARP,
            EtherType::Ipv6 => libc::ETH_P_IPV6,
        };
        socket.bind(index, u16::try_from(ethertype).unwrap_or_default())?;
        Ok(socket)
    }

    /// Opens a socket that hears nothing and only holds memberships ([`join`](Self::join)).
    pub(crate) fn deaf() -> io::Result<Self> {
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
        Ok(Self { socket })
    }

    /// Opens a socket that hears nothing and only sends on link `index`.
    pub(crate) fn sender(index: u32) -> io::Result<Self> {
        let socket = Self::deaf()?;
        socket.socket.set_nonblocking(true)?;
        socket.bind(index, 0)?;
        Ok(socket)
    }

    /// Changes which frames are heard from now on, in one step.
    pub(crate) fn set_filter(&self, filter: &Filter) -> io::Result<()> {
        let program: Vec<SockFilter> = filter
            .instructions()
            .iter()
            .map(|step| SockFilter::new(step.code, step.jump_true, step.jump_false, step.operand))
            .collect();
        self.socket.attach_filter(&program)
    }

    /// Sends one complete Ethernet frame, now or not at all.
    pub(crate) fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.socket.send(frame).map(drop)
    }

    /// Takes the frames that wait, at most as many as `batch` holds, and returns how many.
    ///
    /// One system call; allocates nothing.
    pub(crate) fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        batch.lengths = [0; Batch::FRAMES];
        let mut buffers = batch.buffers.iter_mut();
        let mut vectors: [libc::iovec; Batch::FRAMES] = std::array::from_fn(|_| {
            let buffer = buffers.next().map_or(&mut [][..], |buffer| buffer);
            libc::iovec {
                iov_base: buffer.as_mut_ptr().cast(),
                iov_len: buffer.len(),
            }
        });
        let mut headers = vectors.each_mut().map(|vector| {
            // SAFETY: `mmsghdr` is plain old data of the C library; all zeroes means "no name, no
            // control data, no buffers".
            let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header
        });
        // SAFETY: `headers` holds FRAMES headers; each points at one vector of `vectors`, and that at
        // one buffer of `batch`. All three outlive the call and nothing else uses them meanwhile.
        let received = unsafe {
            libc::recvmmsg(
                self.socket.as_raw_fd(),
                headers.as_mut_ptr(),
                Batch::FRAMES_U32,
                // musl takes them unsigned.
                (libc::MSG_DONTWAIT | libc::MSG_TRUNC) as _,
                std::ptr::null_mut(),
            )
        };
        let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        for (length, header) in batch.lengths.iter_mut().zip(&headers).take(received) {
            *length = header.msg_len as usize;
        }
        Ok(received)
    }

    /// Throws away everything that waits: what was received before this call is never answered.
    ///
    /// The socket is held still meanwhile, so this ends even in a storm.
    pub(crate) fn discard_queued(&self, batch: &mut Batch, filter: &Filter) -> io::Result<()> {
        self.set_filter(&Filter::nothing())?;
        while matches!(self.receive(batch), Ok(received) if received > 0) {}
        self.set_filter(filter)
    }

    /// Becomes a member of the group `mac` on link `index`, so that the card lets it through.
    pub(crate) fn join(&self, index: u32, mac: Mac) -> io::Result<()> {
        self.set_option(libc::PACKET_ADD_MEMBERSHIP, &membership(index, mac))
    }

    /// Leaves the group `mac` on link `index`.
    pub(crate) fn leave(&self, index: u32, mac: Mac) -> io::Result<()> {
        self.set_option(libc::PACKET_DROP_MEMBERSHIP, &membership(index, mac))
    }

    /// Frames that passed the filter, and those of them that found the queue full, since last asked.
    pub(crate) fn statistics(&self) -> io::Result<Statistics> {
        // SAFETY: `tpacket_stats` is plain old data; all zeroes is a value of it.
        let mut stats: libc::tpacket_stats = unsafe { mem::zeroed() };
        let mut length = length_of(&stats);
        // SAFETY: the kernel writes at most `length` octets to `stats`, which is that long.
        let result = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut stats).cast(),
                &raw mut length,
            )
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Statistics {
            passed: stats.tp_packets.into(),
            dropped: stats.tp_drops.into(),
        })
    }

    fn bind(&self, index: u32, ethertype: u16) -> io::Result<()> {
        let mut storage = SockAddrStorage::zeroed();
        // SAFETY: `sockaddr_ll` is a socket address that fits into the storage.
        let address: &mut libc::sockaddr_ll = unsafe { storage.view_as() };
        address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
        address.sll_protocol = ethertype.to_be();
        address.sll_ifindex = index.cast_signed();
        // SAFETY: the storage holds a valid address of exactly this length.
        let address = unsafe { SockAddr::new(storage, length_of_type::<libc::sockaddr_ll>()) };
        self.socket.bind(&address)
    }

    fn set_option<T>(&self, name: libc::c_int, value: &T) -> io::Result<()> {
        // SAFETY: the kernel reads exactly the octets of `value`, which outlives the call.
        let result = unsafe {
            libc::setsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                name,
                (&raw const *value).cast(),
                length_of(value),
            )
        };
        if result < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// What a socket has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    /// Frames that passed the filter, dropped ones included.
    pub(crate) passed: u64,
    /// Frames that passed the filter and found the queue full.
    pub(crate) dropped: u64,
}

/// Room for the frames of one call of [`PacketSocket::receive`].
pub(crate) struct Batch {
    buffers: Vec<[u8; SNAP_LENGTH as usize]>,
    lengths: [usize; Self::FRAMES],
}

impl Batch {
    /// Frames per call: enough that the call itself costs little for each, few enough that the
    /// answers to the first ones do not wait for the last.
    pub(crate) const FRAMES: usize = 32;
    const FRAMES_U32: u32 = 32;

    /// Room for one batch, to be used again and again.
    pub(crate) fn new() -> Self {
        Self {
            buffers: vec![[0; SNAP_LENGTH as usize]; Self::FRAMES],
            lengths: [0; Self::FRAMES],
        }
    }

    /// The frames of the last call, in the order of their arrival. One that is longer than the room
    /// for it reads as empty: no packet of ARP or NDP is.
    pub(crate) fn frames(&self, received: usize) -> impl Iterator<Item = &[u8]> {
        self.buffers
            .iter()
            .zip(self.lengths)
            .take(received)
            .map(|(buffer, length)| buffer.get(..length).unwrap_or_default())
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("lengths", &self.lengths)
            .finish_non_exhaustive()
    }
}

/// `struct packet_mreq` for a multicast group, with the index that `libc` spells `c_int`.
fn membership(index: u32, mac: Mac) -> libc::packet_mreq {
    let mut address = [0; 8];
    for (place, octet) in address.iter_mut().zip(mac.octets()) {
        *place = octet;
    }
    libc::packet_mreq {
        mr_ifindex: index.cast_signed(),
        mr_type: u16::try_from(libc::PACKET_MR_MULTICAST).unwrap_or_default(),
        mr_alen: 6,
        mr_address: address,
    }
}

fn length_of<T>(_: &T) -> libc::socklen_t {
    length_of_type::<T>()
}

fn length_of_type<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).expect("kernel structures are a few octets long")
}

const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

//! Elections between real nodes: exactly one answers for each address, whatever happens to the others.

mod census;
mod cluster;
mod dying;
mod electing;
mod fenced;
mod frozen;
mod hostile;
mod leaving;
mod links;

//! Other sessions beside a backup: whatever they do, and whenever, the rows are those of one moment or there is no backup,
//! and nobody waits long for us.

mod cell;
mod gate;
mod matrix;
mod named;
mod random;
mod rows;
mod session;

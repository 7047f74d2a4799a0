//! The integration tests. `scripts/test` runs them: they need PostgreSQL servers and an S3 server.

#[cfg(test)]
mod agree;
#[cfg(test)]
mod brown_out;
#[cfg(test)]
mod cmd;
#[cfg(test)]
mod compat;
#[cfg(test)]
mod drill;
#[cfg(test)]
mod environment;
#[cfg(test)]
mod fault;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod live;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod pooler;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod secret;
#[cfg(test)]
mod server;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod states;
#[cfg(test)]
mod store;
#[cfg(test)]
mod store_calls;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod verdict;
#[cfg(test)]
mod verify;

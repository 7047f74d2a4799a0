//! HTTP and HTTPS, with the certificates of the whole program's check: the SDK's own client refuses what OpenSSL takes, and cannot be
//! taught otherwise.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{self, Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::fault::chain;
use crate::certificate::{self, Verifier};
use crate::error::{Error, ErrorKind, Result as Checked};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The client; one pool of connections for all requests.
pub(super) fn client(roots: Vec<CertificateDer<'static>>) -> Checked<SharedHttpClient> {
    let provider = certificate::provider();
    let verifier = Verifier::new(&provider, roots, None)?;
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Config, "cannot set up TLS").detail(chain(&error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let mut tcp = connect::HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(super::client::CONNECT_TIMEOUT));
    let dial = Dial { tcp, tls: TlsConnector::from(Arc::new(tls)) };
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(dial);
    Ok(http_client_fn(move |settings: &HttpConnectorSettings, _| {
        let (client, opening, read) = (client.clone(), settings.connect_timeout(), settings.read_timeout());
        SharedHttpConnector::new(Requests { client, limit: read.map(|read| read + opening.unwrap_or_default()) })
    }))
}

#[derive(Clone, Debug)]
struct Requests {
    client: Client<Dial, SdkBody>,
    limit: Option<Duration>,
}

impl HttpConnector for Requests {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let (asking, limit) = (self.client.request(request), self.limit);
        HttpConnectorFuture::new(async move {
            let answer = match limit {
                None => asking.await,
                Some(limit) => match tokio::time::timeout(limit, asking).await {
                    Ok(answer) => answer,
                    Err(elapsed) => return Err(ConnectorError::timeout(elapsed.into())),
                },
            };
            match answer {
                Ok(response) => HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                    .map_err(|error| ConnectorError::other(error.into(), None)),
                // nothing that the network does is a reason not to try again
                Err(error) => Err(ConnectorError::io(error.into())),
            }
        })
    }
}

/// Opens connections.
#[derive(Clone)]
struct Dial {
    tcp: connect::HttpConnector,
    tls: TlsConnector,
}

impl std::fmt::Debug for Dial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dial")
    }
}

impl Service<Uri> for Dial {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (tls, opening) = (self.tls.clone(), self.tcp.call(uri.clone()));
        Box::pin(async move {
            let stream = opening.await?;
            if uri.scheme_str() != Some("https") {
                return Ok(Stream::Plain(stream));
            }
            let host = uri.host().ok_or("the URL has no host")?.trim_matches(['[', ']']).to_owned();
            let agreeing = tls.connect(ServerName::try_from(host)?, stream.into_inner());
            let agreed = tokio::time::timeout(super::client::CONNECT_TIMEOUT, agreeing).await?;
            let stream = agreed.map_err(|error| {
                match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                    Some(fault) if certificate::is_final(fault) => BoxError::from(Refused(certificate::words(fault))),
                    Some(_) | None => BoxError::from(error),
                }
            })?;
            Ok(Stream::Tls(Box::new(TokioIo::new(stream))))
        })
    }
}

/// The two sides do not fit each other: no other attempt changes it.
#[derive(Debug)]
pub(super) struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// One connection.
enum Stream {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

//! HTTPS where the user names the certificates to trust: a server's own certificate may be its root, as `openssl req -x509` makes
//! it. The SDK's own client takes such a one for an authority's, and cannot be taught otherwise.

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
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::fault::chain;
use crate::error::{Error, ErrorKind, Result as Checked};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The client; one pool of connections for all requests.
pub(super) fn client(roots: Vec<CertificateDer<'static>>) -> Checked<SharedHttpClient> {
    let unusable = |detail: String| Error::new(ErrorKind::Config, "cannot set up TLS").detail(detail);
    let mut store = RootCertStore::empty();
    let _ = store.add_parsable_certificates(roots.iter().cloned());
    let provider = Arc::new(ring::default_provider());
    let web = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
        .build()
        .map_err(|error| unusable(chain(&error)))?;
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(chain(&error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { web, roots }))
        .with_no_client_auth();
    let dial = Dial { tls: TlsConnector::from(Arc::new(tls)) };
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(dial);
    Ok(http_client_fn(move |settings: &HttpConnectorSettings, _| {
        let (client, connect, read) = (client.clone(), settings.connect_timeout(), settings.read_timeout());
        SharedHttpConnector::new(Requests { client, limit: read.map(|read| read + connect.unwrap_or_default()) })
    }))
}

/// The usual check, and a certificate that is trusted itself: then it is good for the names and the time that it tells.
#[derive(Debug)]
struct Verifier {
    web: Arc<WebPkiServerVerifier>,
    roots: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let answer = self.web.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if answer.is_ok() || !self.roots.iter().any(|root| root.as_ref() == end_entity.as_ref()) {
            return answer;
        }
        let bad = rustls::Error::InvalidCertificate;
        let validity =
            Certificate::from_der(end_entity).map_err(|_| bad(CertificateError::BadEncoding))?.tbs_certificate.validity;
        if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
            return Err(bad(CertificateError::NotValidYet));
        }
        if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
            return Err(bad(CertificateError::Expired));
        }
        let parsed = rustls::server::ParsedCertificate::try_from(end_entity)?;
        rustls::client::verify_server_name(&parsed, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.web.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.web.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.web.supported_verify_schemes()
    }
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

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tls = self.tls.clone();
        Box::pin(async move {
            let host = uri.host().ok_or("the URL has no host")?.trim_matches(['[', ']']).to_owned();
            let is_encrypted = uri.scheme_str() == Some("https");
            let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
            let opening = TcpStream::connect((host.as_str(), port));
            let stream = tokio::time::timeout(super::client::CONNECT_TIMEOUT, opening).await??;
            stream.set_nodelay(true)?;
            if !is_encrypted {
                return Ok(Stream::Plain(TokioIo::new(stream)));
            }
            let agreeing = tls.connect(ServerName::try_from(host)?, stream);
            let stream = tokio::time::timeout(super::client::CONNECT_TIMEOUT, agreeing).await??;
            Ok(Stream::Tls(Box::new(TokioIo::new(stream))))
        })
    }
}

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

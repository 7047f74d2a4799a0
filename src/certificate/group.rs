//! Key exchange on P-521.

use p521::ecdsa::SigningKey;
use p521::elliptic_curve::point::AffineCoordinates as _;
use p521::elliptic_curve::rand_core::OsRng;
use p521::elliptic_curve::sec1::ToEncodedPoint as _;
use p521::{NonZeroScalar, ProjectivePoint, PublicKey};
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved};

/// The first byte of a point that is written with both coordinates, the only form that TLS has.
const UNCOMPRESSED: u8 = 4;

#[derive(Debug)]
struct Group;

pub(super) static P521_EXCHANGE: &dyn SupportedKxGroup = &Group;

impl SupportedKxGroup for Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let secret = *SigningKey::random(&mut OsRng).as_nonzero_scalar();
        let public = PublicKey::from_secret_scalar(&secret).to_encoded_point(false).as_bytes().to_vec();
        Ok(Box::new(Exchange { secret, public }))
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

struct Exchange {
    secret: NonZeroScalar,
    public: Vec<u8>,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let misbehaved = || Error::from(PeerMisbehaved::InvalidKeyShare);
        if peer.first() != Some(&UNCOMPRESSED) {
            return Err(misbehaved());
        }
        // that the point is on the curve is checked here; its order is the curve's then
        let peer = PublicKey::from_sec1_bytes(peer).map_err(|_| misbehaved())?;
        let shared: ProjectivePoint = peer.to_projective() * *self.secret;
        Ok(SharedSecret::from(shared.to_affine().x().as_slice()))
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_find_the_same_secret_and_a_point_off_the_curve_is_refused() {
        let (ours, theirs) = (Group.start().unwrap(), Group.start().unwrap());
        let (of_ours, of_theirs) = (ours.pub_key().to_vec(), theirs.pub_key().to_vec());
        let secret = ours.complete(&of_theirs).unwrap();
        assert_eq!(secret.secret_bytes(), theirs.complete(&of_ours).unwrap().secret_bytes());
        assert_eq!(secret.secret_bytes().len(), 66);
        let mut off = of_theirs.clone();
        *off.last_mut().unwrap() ^= 1;
        for bad in [&off[..], &of_theirs[1..], &[], &[0], &[4], &of_theirs[..67]] {
            assert!(Group.start().unwrap().complete(bad).is_err());
        }
    }
}

use super::*;
use proptest::prelude::*;

const SETTINGS: [Compression; 6] = [
    Compression::None,
    Compression::Gzip { level: 6 },
    Compression::Lz4 { level: 0 },
    Compression::Lz4 { level: 9 },
    Compression::Zstd { level: 3, long: false },
    Compression::Zstd { level: 1, long: true },
];
const SHAPES: [Shape; 2] = [Shape::Block, Shape::File];

fn pieces<'a>(bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut rest = bytes;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
        all.push(now);
        rest = later;
    }
    all
}

fn encode(compression: Compression, shape: Shape, bytes: &[u8], sizes: &[usize], frame_every: usize) -> Vec<u8> {
    let mut encoder = Box::new(Encoder::new(compression, shape).unwrap());
    let mut out = BytesMut::new();
    for (index, piece) in pieces(bytes, sizes).into_iter().enumerate() {
        encoder.push(piece, &mut out).unwrap();
        if index % frame_every == frame_every - 1 {
            encoder.end_frame(&mut out).unwrap();
        }
    }
    let summary = encoder.finish(&mut out).unwrap();
    assert_eq!(summary, Summary { input: bytes.len() as u64, output: out.len() as u64 });
    out.into()
}

fn decode(algorithm: Algorithm, shape: Shape, bytes: &[u8], sizes: &[usize]) -> Result<Vec<u8>, CodecError> {
    let mut decoder = Decoder::new(algorithm, shape)?;
    let mut all = Vec::new();
    let mut buffer = BytesMut::new();
    for piece in pieces(bytes, sizes) {
        decoder.push_all::<CodecError>(piece, &mut buffer, |out| {
            all.extend_from_slice(out);
            Ok(())
        })?;
    }
    let summary = decoder.finish()?;
    assert_eq!(summary, Summary { input: bytes.len() as u64, output: all.len() as u64 });
    Ok(all)
}

/// Text with repetitions near and far.
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|i| b"0123456789abcdef\n"[(i * i / 7 + i / 1000) % 17]).collect()
}

#[test]
fn gives_back_long_input() {
    let input = text(3_000_000);
    for compression in SETTINGS {
        for shape in SHAPES {
            let packed = encode(compression, shape, &input, &[100_000], usize::MAX);
            assert!(compression == Compression::None || packed.len() < input.len() / 2, "{compression}");
            assert_eq!(decode(compression.algorithm(), shape, &packed, &[70_001]).unwrap(), input, "{compression}");
        }
    }
}

#[test]
fn joins_frames() {
    let input = text(50_000);
    for compression in SETTINGS {
        let packed = encode(compression, Shape::File, &input, &[5_000], 3);
        assert_eq!(decode(compression.algorithm(), Shape::File, &packed, &[999]).unwrap(), input, "{compression}");
    }
}

#[test]
fn gives_back_nothing() {
    for compression in SETTINGS {
        for shape in SHAPES {
            let packed = encode(compression, shape, b"", &[1], usize::MAX);
            assert_eq!(decode(compression.algorithm(), shape, &packed, &[3]).unwrap(), b"", "{compression}");
        }
    }
}

#[test]
fn finds_every_truncation() {
    let input = text(1_000);
    for compression in SETTINGS {
        if compression == Compression::None {
            continue;
        }
        for shape in SHAPES {
            let packed = encode(compression, shape, &input, &[1_000], usize::MAX);
            // a file for lz4 or zstd may be empty: see the decoder
            let first = usize::from(shape == Shape::File && compression.algorithm() != Algorithm::Gzip);
            for length in first..packed.len() {
                let result = decode(compression.algorithm(), shape, &packed[..length], &[64]);
                assert!(result.is_err(), "{compression} cut at {length} of {}", packed.len());
            }
        }
    }
}

#[test]
fn finds_what_follows_the_end() {
    for compression in SETTINGS {
        if compression == Compression::None {
            continue;
        }
        for shape in SHAPES {
            let mut packed = compress(compression, shape, b"rows\n").unwrap();
            packed.push(b'x');
            assert!(decode(compression.algorithm(), shape, &packed, &[64]).is_err(), "{compression}");
        }
    }
}

#[test]
fn a_flipped_byte_never_passes_as_other_content() {
    let input = text(2_000);
    for compression in SETTINGS {
        if compression == Compression::None {
            continue;
        }
        for shape in SHAPES {
            let mut packed = compress(compression, shape, &input).unwrap();
            for index in 0..packed.len() {
                packed[index] ^= 0x10;
                if let Ok(output) = decode(compression.algorithm(), shape, &packed, &[500]) {
                    assert_eq!(output, input, "{compression} at {index}");
                }
                packed[index] ^= 0x10;
            }
        }
    }
}

#[test]
fn bounds_what_one_push_gives_out() {
    let zeros = vec![0; 64 << 20];
    for compression in SETTINGS {
        let packed = compress(compression, Shape::File, &zeros).unwrap();
        let mut decoder = Decoder::new(compression.algorithm(), Shape::File).unwrap();
        let (mut input, mut total) = (packed.as_slice(), 0);
        let mut out = BytesMut::new();
        loop {
            out.clear();
            let flow = decoder.push(&mut input, &mut out).unwrap();
            assert!(out.len() <= DECODER_STEP + (4 << 20), "{compression}: {}", out.len());
            total += out.len();
            if flow == Flow::Drained {
                break;
            }
        }
        decoder.finish().unwrap();
        assert_eq!(total, zeros.len(), "{compression}");
    }
}

#[test]
fn refuses_a_zstd_window_above_128_mib() {
    // a frame header that declares a window of 256 MiB
    let bytes = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x90, 0x01, 0x00, 0x00];
    let error = decode(Algorithm::Zstd, Shape::File, &bytes, &[64]).unwrap_err();
    assert!(matches!(error, CodecError::Corrupt { codec: "zstd", .. }), "{error}");
}

#[test]
fn refuses_more_than_the_limit() {
    let packed = compress(Compression::Gzip { level: 6 }, Shape::File, &vec![0; 10 << 20]).unwrap();
    assert!(decompress(Algorithm::Gzip, Shape::File, &packed, 1 << 20).is_err());
    assert_eq!(decompress(Algorithm::Gzip, Shape::File, &packed, 11 << 20).unwrap().len(), 10 << 20);
}

#[test]
fn reads_linked_lz4_blocks() {
    // the library's own default: blocks of 64 KiB that refer to each other
    let input = text(300_000);
    let mut encoder = ::lz4::EncoderBuilder::new()
        .block_mode(::lz4::BlockMode::Linked)
        .block_size(::lz4::BlockSize::Max64KB)
        .block_checksum(::lz4::liblz4::BlockChecksum::BlockChecksumEnabled)
        .content_size(input.len() as u64)
        .build(Vec::new())
        .unwrap();
    std::io::Write::write_all(&mut encoder, &input).unwrap();
    let (packed, result) = encoder.finish();
    result.unwrap();
    assert_eq!(decode(Algorithm::Lz4, Shape::File, &packed, &[1_234]).unwrap(), input);
}

#[test]
fn tells_the_algorithm_from_a_file_name() {
    assert_eq!(Algorithm::of_file_name("12.dat.gz"), (Algorithm::Gzip, "12.dat"));
    assert_eq!(Algorithm::of_file_name("12.dat.lz4"), (Algorithm::Lz4, "12.dat"));
    assert_eq!(Algorithm::of_file_name("12.dat.zst"), (Algorithm::Zstd, "12.dat"));
    assert_eq!(Algorithm::of_file_name("12.dat"), (Algorithm::None, "12.dat"));
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_bytes(
        input in proptest::collection::vec(any::<u8>(), 0..5_000),
        repeat in 1usize..20,
        write_sizes in proptest::collection::vec(1usize..3_000, 1..8),
        read_sizes in proptest::collection::vec(1usize..900, 1..8),
        setting in 0..SETTINGS.len(),
        file in any::<bool>(),
        frame_every in 1usize..6,
    ) {
        let (compression, shape) = (SETTINGS[setting], if file { Shape::File } else { Shape::Block });
        let input = input.repeat(repeat);
        let packed = encode(compression, shape, &input, &write_sizes, frame_every);
        prop_assert_eq!(decode(compression.algorithm(), shape, &packed, &read_sizes).unwrap(), input);
    }

    #[test]
    fn random_bytes_never_panic(
        input in proptest::collection::vec(any::<u8>(), 0..2_000),
        read_sizes in proptest::collection::vec(1usize..900, 1..8),
    ) {
        for algorithm in Algorithm::ALL {
            for shape in SHAPES {
                // damage must end in an error or in bytes, never in a panic
                decode(algorithm, shape, &input, &read_sizes).ok();
            }
        }
    }

    #[test]
    fn mutated_streams_never_panic(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        read_sizes in proptest::collection::vec(1usize..900, 1..8),
        setting in 0..SETTINGS.len(),
    ) {
        let input = text(4_000);
        for shape in SHAPES {
            let mut packed = compress(SETTINGS[setting], shape, &input).unwrap();
            for (index, byte) in &flips {
                let place = index.index(packed.len());
                packed[place] = *byte;
            }
            decode(SETTINGS[setting].algorithm(), shape, &packed, &read_sizes).ok();
        }
    }
}

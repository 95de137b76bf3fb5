# cargo xtask page && docker build -t vigie .
#
# The web page is built before: its files are part of the context, and this image needs no Node.
# The image contains only Vigie and the certificates it trusts: no shell, no libc, no packages to patch.
# It has no HEALTHCHECK, since Docker runs those inside the container. Probe /healthz and /readyz from outside, as Kubernetes
# does.

FROM rust:1.95-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082 AS build
WORKDIR /src
COPY . .
RUN test -f page/dist/files/index.html || { echo "the web page is not built: run cargo xtask page first" >&2; exit 1; }
# Static with glibc, not with musl: the C code in ring and SQLite needs no second compiler, and memory was measured with glibc's
# malloc. Since 2.34 a static glibc resolves names from /etc/hosts and DNS itself; the linker's warning about getaddrinfo
# concerns other sources, which containers do not have.
# --target keeps the flag away from build scripts and macros, which cannot be static.
# target/ is not cached: cargo detects changed sources by their modification times, which cannot be compared between two
# checkouts that share a builder. It could treat a program built from other sources as up to date.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    target="$(rustc --print host-tuple)" \
    && RUSTFLAGS="-C target-feature=+crt-static" \
       cargo build --release --locked --package vigie --bin vigie --target "$target" \
    && cp "target/$target/release/vigie" /vigie

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /vigie /vigie
# Numeric, so that Kubernetes can verify that it is not root.
USER 65532:65532
EXPOSE 8080 9850
ENTRYPOINT ["/vigie"]
CMD ["run"]

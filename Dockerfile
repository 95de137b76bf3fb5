# docker build -t vigie .
#
# The image holds Vigie, the certificates it trusts, and nothing else: no shell, no libc, no package to patch.
# There is no HEALTHCHECK, since Docker runs those inside of the image. Kubernetes asks /healthz and /readyz from outside;
# elsewhere let whatever watches containers do the same.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Static with glibc, not with musl: the C in ring and SQLite needs no second compiler, and glibc's malloc is the one that was
# measured. From 2.34 on a static glibc looks names up in /etc/hosts and DNS by itself; the linker's warning about
# getaddrinfo is about the other sources, which no container has.
# --target keeps the flag away from build scripts and macros, which cannot be static.
# target/ is not cached: cargo tells changed sources by their times, and those of two checkouts that share a builder mean
# nothing to each other. It would call a program of other sources up to date.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    target="$(rustc --print host-tuple)" \
    && RUSTFLAGS="-C target-feature=+crt-static" \
       cargo build --release --locked --package vigie --bin vigie --target "$target" \
    && cp "target/$target/release/vigie" /vigie

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /vigie /vigie
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8080 9850
ENTRYPOINT ["/vigie"]
CMD ["run"]

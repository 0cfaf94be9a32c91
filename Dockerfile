# The image of Cleanbill: one static program, certificates of authorities, nothing else.
#
#     docker build .                                              from source
#     docker build --build-arg TRIVY_VERSION=v0.57.1 .            with Trivy as second engine
#     docker build --target local .                               from dist/cleanbill
#     docker build --target local-trivy .                         the same, with dist/trivy
#
# docs/deployment.md says how to run it. The builder of older engines builds every stage above the
# target: what needs no network and no compiler comes first. The two stages that end in an image say
# the same about how it runs (.ci/packaging compares them).

# ---- From a program that was built elsewhere, statically: dist/cleanbill, dist/ca-certificates.crt.
FROM scratch AS local
WORKDIR /var/cache
WORKDIR /var/lib
WORKDIR /var/log
WORKDIR /
COPY dist/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY dist/cleanbill /usr/bin/cleanbill
# Directories for the user of the image; volumes that are empty get their owner.
COPY --chown=65532:65532 deploy/image/empty/ /tmp/
COPY --chown=65532:65532 deploy/image/empty/ /snapshots/
COPY --chown=65532:65532 deploy/image/empty/ /var/cache/cleanbill/
COPY --chown=65532:65532 deploy/image/empty/ /var/lib/cleanbill/
COPY --chown=65532:65532 deploy/image/empty/ /var/log/security-scans/
# Defaults, as systemd gives them to a service: flags, settings and the configuration file win.
ENV CACHE_DIRECTORY=/var/cache/cleanbill STATE_DIRECTORY=/var/lib/cleanbill
# The engine's socket belongs to a group of the host: docker run --group-add GID.
USER 65532:65532
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Cleanbill" \
      org.opencontainers.image.description="Finds known vulnerabilities in the images of a host, and says when something changed" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/bin/cleanbill", "health"]
ENTRYPOINT ["/usr/bin/cleanbill"]
CMD ["watch"]

# ---- The same with Trivy as second engine, from dist/trivy.
FROM local AS local-trivy
COPY dist/trivy /usr/bin/trivy

# ---- Compiles. The target of this toolchain is musl: what it links is static.
FROM rust:1.95.0-alpine AS build
ARG SOURCE_DATE_EPOCH=0
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin cleanbill \
    && install -D target/release/cleanbill /out/cleanbill \
    && cp /etc/ssl/certs/ca-certificates.crt /out/ca-certificates.crt \
    && touch -d "@$SOURCE_DATE_EPOCH" /out/cleanbill /out/ca-certificates.crt

# ---- Trivy, if a version is given (0.57.1 or v0.57.1), else an empty directory.
# BuildKit takes another one from a directory: --build-context trivy=DIR, with DIR/out/trivy.
FROM alpine:3.22 AS trivy
ARG SOURCE_DATE_EPOCH=0
ARG TRIVY_VERSION=
ARG TRIVY_SHA256=
COPY deploy/image/fetch-trivy /usr/local/bin/fetch-trivy
RUN mkdir /out \
    && if [ -n "$TRIVY_VERSION" ]; then fetch-trivy "$TRIVY_VERSION" /out "$TRIVY_SHA256"; fi \
    && find /out -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

# ---- From source: what `docker build .` makes.
FROM scratch
WORKDIR /var/cache
WORKDIR /var/lib
WORKDIR /var/log
WORKDIR /
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/cleanbill /usr/bin/cleanbill
COPY --from=trivy /out/ /usr/bin/
# Directories for the user of the image; volumes that are empty get their owner.
COPY --chown=65532:65532 deploy/image/empty/ /tmp/
COPY --chown=65532:65532 deploy/image/empty/ /snapshots/
COPY --chown=65532:65532 deploy/image/empty/ /var/cache/cleanbill/
COPY --chown=65532:65532 deploy/image/empty/ /var/lib/cleanbill/
COPY --chown=65532:65532 deploy/image/empty/ /var/log/security-scans/
# Defaults, as systemd gives them to a service: flags, settings and the configuration file win.
ENV CACHE_DIRECTORY=/var/cache/cleanbill STATE_DIRECTORY=/var/lib/cleanbill
# The engine's socket belongs to a group of the host: docker run --group-add GID.
USER 65532:65532
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Cleanbill" \
      org.opencontainers.image.description="Finds known vulnerabilities in the images of a host, and says when something changed" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/bin/cleanbill", "health"]
ENTRYPOINT ["/usr/bin/cleanbill"]
CMD ["watch"]

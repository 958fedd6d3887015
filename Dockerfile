# The three services as images: docker build --target vote-api . (or worker, result-api). web/Dockerfile makes the pages.
# SPDX-License-Identifier: MIT
#
# `build` compiles all programs, `runtime` has the libraries that they need. Both are made once for the three images. `dev`
# is for compose.dev.yaml: it builds a service with sanitizers, and again when a file changes. It comes last, because
# Docker without BuildKit makes every stage above the target.
ARG DEBIAN_IMAGE=debian:trixie-slim

FROM ${DEBIAN_IMAGE} AS build
WORKDIR /src
COPY scripts/lib.sh scripts/packages scripts/fetch-deb scripts/
# Debian 13 has no libh2o, and Debian 12's package runs on it. psql is taken out of its package, which needs Perl (60 MB).
RUN scripts/packages compile \
    && mkdir /debs /programs && scripts/fetch-deb /debs bookworm libh2o-evloop0.13 \
    && cd /tmp && apt-get download -qq postgresql-client-17 && dpkg-deb -x postgresql-client-17_*.deb client \
    && mv client/usr/lib/postgresql/17/bin/psql /programs/ && rm -rf /tmp/* /var/lib/apt/lists/*
COPY meson.build ./
COPY proto proto
COPY common common
COPY docs docs
COPY vote-api vote-api
COPY worker worker
COPY result-api result-api
COPY audit audit
COPY setup setup
RUN meson setup /build . --buildtype=release && ninja -C /build \
    && cp /build/vote-api/vote-api /build/result-api/result-api /build/worker/worker /build/setup/scrutin-setup \
        /build/audit/scrutin-audit /programs/ && strip /programs/*

FROM ${DEBIAN_IMAGE} AS runtime
COPY --from=build /debs /tmp/debs
# Nothing in the images may raise its rights, so no file keeps a setuid bit.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libnats3.10 libjansson4 libsodium23 libprotobuf-c1 libssl3t64 \
        libmimalloc3 libutf8proc3 libpq5 libreadline8t64 /tmp/debs/*.deb \
    && rm -rf /var/lib/apt/lists/* /tmp/debs/* && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
ENV BIND_ADDRESS=0.0.0.0
USER 10001:10001
STOPSIGNAL SIGTERM
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.licenses="MIT"

FROM runtime AS vote-api
COPY --from=build /programs/vote-api /usr/local/bin/
LABEL org.opencontainers.image.title="scrutin vote-api" \
    org.opencontainers.image.description="Takes ballots over HTTP and manages polls."
EXPOSE 8081
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["vote-api", "--healthcheck"]
ENTRYPOINT ["vote-api"]

FROM runtime AS result-api
COPY --from=build /programs/result-api /usr/local/bin/
LABEL org.opencontainers.image.title="scrutin result-api" \
    org.opencontainers.image.description="Results as JSON, event streams and CSV."
EXPOSE 8082
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["result-api", "--healthcheck"]
ENTRYPOINT ["result-api"]

FROM runtime AS worker
COPY --from=build /programs/worker /programs/scrutin-setup /programs/scrutin-audit /programs/psql /usr/local/bin/
COPY db /usr/local/share/scrutin/db
COPY scripts/lib.sh scripts/secrets /usr/local/share/scrutin/scripts/
COPY deploy/prepare-volumes /usr/local/share/scrutin/deploy/
LABEL org.opencontainers.image.title="scrutin worker" \
    org.opencontainers.image.description="Writes ballots to PostgreSQL; also scrutin-setup, scrutin-audit and db/migrate."
EXPOSE 8083
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["worker", "--healthcheck"]
ENTRYPOINT ["worker"]

FROM build AS dev
RUN apt-get update && apt-get install -y --no-install-recommends gdb entr && rm -rf /var/lib/apt/lists/*
COPY scripts/rebuild scripts/
ENV ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 BIND_ADDRESS=0.0.0.0
# compose.dev.yaml names the service: scripts/rebuild vote-api

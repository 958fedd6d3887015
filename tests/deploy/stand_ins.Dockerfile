# Replaces the official images nats and postgres where none can be pulled: docker build --target nats|postgres
# SPDX-License-Identifier: MIT
#
# It uses Debian 13's packages. A program nats-server beside this file takes precedence over Debian's.
ARG DEBIAN_IMAGE

FROM ${DEBIAN_IMAGE} AS nats
RUN apt-get update && apt-get install -y --no-install-recommends nats-server wget && rm -rf /var/lib/apt/lists/*
COPY make_cluster nats-server* /usr/local/bin/
EXPOSE 4222 6222 8222
CMD ["nats-server"]

FROM ${DEBIAN_IMAGE} AS postgres
RUN mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && apt-get install -y --no-install-recommends -o DPkg::Options::=--force-confold postgresql-17 \
    && rm -rf /var/lib/apt/lists/* && mkdir -p /var/lib/postgresql/data && chown postgres:postgres /var/lib/postgresql/data \
    && chmod 3777 /run/postgresql
ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data
COPY make_cluster /usr/local/bin/docker-entrypoint.sh
VOLUME /var/lib/postgresql/data
EXPOSE 5432
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]

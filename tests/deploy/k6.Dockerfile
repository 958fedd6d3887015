# Replaces the official image of k6 where none can be pulled. The context is a folder with the program k6.
# SPDX-License-Identifier: MIT
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE}
COPY k6 /usr/bin/k6
USER 12345:12345
ENTRYPOINT ["k6"]

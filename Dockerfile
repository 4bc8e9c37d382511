# Debian 12 with Node 24. Another image may take its place: docker build --build-arg BASE=…
ARG BASE=docker.io/library/node:24-bookworm-slim

# The media worker is downloaded, or built where that cannot be: only a change of the packages or of these scripts does it again.
FROM ${BASE} AS worker
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/media-worker.mjs scripts/
COPY scripts/media-worker scripts/media-worker/
ENV XDG_CACHE_HOME=/opt/cache
RUN npm ci --ignore-scripts && npm run --silent worker

FROM worker AS build
COPY tsconfig.json ./
COPY src src/
COPY scripts/image/health.mjs scripts/image/
# The image brings Node itself, so the one that npm pins goes, with all that only a build or a debugger reads.
RUN npm run --silent page && npm prune --omit=dev --omit=optional --ignore-scripts \
  && find node_modules -name '*.map' -delete && rm -r node_modules/better-sqlite3/deps node_modules/mediasoup/worker \
  && chmod 755 src/cli.ts

FROM ${BASE}
# What a worker that was built is linked with; one that was downloaded needs none of it.
RUN apt-get update && apt-get install -y --no-install-recommends libabsl20220623 libsrtp2-1 libssl3 libuv1 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
# There is no compiler here, so a server without a worker says so rather than try to build one.
ENV XDG_CACHE_HOME=/opt/cache HOST=0.0.0.0 DATA_DIR=/data NODE_ENV=production PREPARE_MEDIA=false
COPY --from=build /opt/cache /opt/cache
COPY --from=build /app /app
# Ends the build where the worker does not start with the libraries of this image.
RUN node scripts/media-worker.mjs --path && ln -s /app/src/cli.ts /usr/local/bin/anteroom \
  && mkdir -m 700 /data && chown node:node /data
# "node", by its number: some refuse to run an image whose user they cannot tell from root.
USER 1000:1000
VOLUME /data
# Media has one port for each core, from 40000 on.
EXPOSE 9000 9443 40000-40015/udp 40000-40015/tcp
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["node", "scripts/image/health.mjs"]
ENTRYPOINT ["anteroom"]
CMD ["serve"]

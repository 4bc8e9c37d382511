# Debian 12 with Node 24. To use another image: docker build --build-arg BASE=…
ARG BASE=docker.io/library/node:24-bookworm-slim

# Downloads the media worker, or builds it if that fails; repeated only if the packages or these scripts change.
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
# The image contains Node, so the one that npm pins is removed, and files that only a build or a debugger reads.
RUN npm run --silent page && npm prune --omit=dev --omit=optional --ignore-scripts \
  && find node_modules -name '*.map' -delete && rm -r node_modules/better-sqlite3/deps node_modules/mediasoup/worker \
  && chmod 755 src/cli.ts

FROM ${BASE}
# The libraries of a worker that was built; a downloaded one does not need them.
RUN apt-get update && apt-get install -y --no-install-recommends libabsl20220623 libsrtp2-1 libssl3 libuv1 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
# There is no compiler here, so a server without a worker reports that instead of building one.
ENV XDG_CACHE_HOME=/opt/cache HOST=0.0.0.0 DATA_DIR=/data NODE_ENV=production PREPARE_MEDIA=false
COPY --from=build /opt/cache /opt/cache
COPY --from=build /app /app
# Fails the build if the worker does not start with the libraries of this image.
RUN node scripts/media-worker.mjs --path && ln -s /app/src/cli.ts /usr/local/bin/anteroom \
  && mkdir -m 700 /data && chown node:node /data
# "node", by its number: some platforms refuse an image if they cannot tell that its user is not root.
USER 1000:1000
VOLUME /data
# Media uses one port per core, from 40000 on.
EXPOSE 9000 9443 40000-40015/udp 40000-40015/tcp
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["node", "scripts/image/health.mjs"]
ENTRYPOINT ["anteroom"]
CMD ["serve"]

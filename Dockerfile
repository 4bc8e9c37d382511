FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
ENV XDG_CACHE_HOME=/opt/cache
RUN npm ci && npm run --silent worker
COPY tsconfig.json ./
COPY src src
RUN npm run --silent page && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
# The shared libraries of a media worker that was built rather than downloaded.
RUN apt-get update && apt-get install -y --no-install-recommends libsrtp2-1 libuv1 libssl3 libabsl20220623 libflatbuffers2 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV XDG_CACHE_HOME=/opt/cache HOST=0.0.0.0 DATA_DIR=/data NODE_ENV=production
COPY --from=build /opt/cache /opt/cache
COPY --from=build /app /app
RUN mkdir /data && chown node /data && chmod 700 /data
USER node
VOLUME /data
EXPOSE 9000 9443 40000-40015/udp 40000-40015/tcp
CMD ["node", "src/cli.ts", "serve"]

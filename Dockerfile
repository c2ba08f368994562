# The hub as an image: the program and what it needs to run, nothing else. The project's files
# (connectors/, flows/, mappings/, schemas/) are mounted at /project. PostgreSQL is somewhere else
# (DATABASE_URL), so the embedded one is not in here. docker-compose.yml shows how it is run.

# A line of Node with long-term support; 20.19 and all later ones will do.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
# By themselves, so that a change of the sources does not install everything again.
COPY package.json package-lock.json .npmrc ./
# No install script is needed here, so none may run.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN npm run build
# What is optional: the embedded PostgreSQL, and a native decoder that BullMQ does without. What is
# left is JavaScript only.
RUN npm prune --omit=dev --omit=optional --ignore-scripts
COPY migrations ./migrations
COPY connectors/catalog ./connectors/catalog
COPY schemas/crossdock ./schemas/crossdock
# Files come with the modes they have in the checkout; under a strict umask only root could read them.
RUN chmod -R a+rX package.json migrations connectors schemas \
  && chmod 755 dist/src/cli/crossdock.js

FROM ${NODE_IMAGE}
# Inside a container nobody could reach the loopback address.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    CROSSDOCK_DIR=/project
WORKDIR /app
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/migrations ./migrations
COPY --from=build /build/connectors ./connectors
COPY --from=build /build/schemas ./schemas
COPY --from=build /build/package.json ./
COPY --from=build /build/dist/src ./dist/src
# The program belongs to root. The one folder that the hub may write to is .crossdock, where its
# archive goes by default; a new named volume that is mounted there takes over this owner.
RUN ln -s /app/dist/src/cli/crossdock.js /usr/local/bin/crossdock \
  && mkdir -p /project/.crossdock \
  && chown 1000:1000 /project/.crossdock
WORKDIR /project
# The image's user `node`, as a number, which is what Kubernetes can check to be nobody special.
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
# Alive, not ready: /readyz is 503 while PostgreSQL is away, and no restart of the hub cures that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8080) + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# So that `docker run … check`, `… events` and all other commands work too. Without a shell between
# them the hub itself gets the SIGTERM and hands its work back.
ENTRYPOINT ["crossdock"]
CMD ["start"]

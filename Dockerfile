# Foreman in a container; docs/install.md tells how to run it. Node runs the sources as they are, so
# that nothing is built but the folder of what they depend on.
FROM node:24-slim AS dependencies
WORKDIR /opt/foreman
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
WORKDIR /opt/foreman
COPY --from=dependencies /opt/foreman/node_modules node_modules
COPY package.json README.md CHANGELOG.md ./
COPY docs docs
COPY src src
# A named volume takes its owner and mode from here: the database is private to its user.
RUN install -d -o 1000 -g 1000 -m 700 /data
VOLUME /data
# The image's `node`, in numbers, so that an orchestrator can tell that it is not root.
USER 1000:1000
# Beyond a container's own loopback, or nobody reaches it; so it wants a token before it starts.
ENV NODE_ENV=production \
    FOREMAN_ADDR=0.0.0.0:8080 \
    FOREMAN_DB=/data/foreman.db \
    FOREMAN_OLLAMA_URL=http://host.docker.internal:11434 \
    CACHE_DIRECTORY=/data/cache
EXPOSE 8080
# Never unhealthy for Ollama's being away: a restart would not bring it back.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.FOREMAN_ADDR.split(':').at(-1)}/healthz`).then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-old-space-size=512", "--max-semi-space-size=16", "src/main.js"]
CMD ["serve"]

type ProxyPorts = { readonly port: number; readonly targetPort: number };

/**
 * nginx as one sets it up in front of a streaming server. One worker runs without a master, so that
 * its CPU time is one process's. The buffer holds an embedding whole: with the default 4 KB nginx
 * would read it in four pieces and look slower than it is.
 */
export function nginxConfig(
  { port, targetPort }: ProxyPorts,
  { folder, workers }: { readonly folder: string; readonly workers: number },
): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${folder}/${name};`)
    .join("\n");
  return `daemon off;
master_process ${workers > 1 ? "on" : "off"};
worker_processes ${workers};
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx-error.log;
events { worker_connections 16384; }
http {
  access_log off;
${temporary}
  keepalive_requests 10000000;
  keepalive_timeout 3600s;
  upstream target {
    server 127.0.0.1:${targetPort};
    keepalive 512;
    keepalive_requests 10000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=8192;
    tcp_nodelay on;
    client_max_body_size 0;
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_buffer_size 32k;
      proxy_buffers 4 32k;
      proxy_busy_buffers_size 64k;
      proxy_read_timeout 3600s;
    }
  }
}
`;
}

/** haproxy with one thread, kept connections shared between clients, and nothing held back. */
export function haproxyConfig({ port, targetPort }: ProxyPorts): string {
  return `global
  nbthread 1
  maxconn 8000
defaults
  mode http
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 3600s
  timeout server 3600s
frontend clients
  bind 127.0.0.1:${port}
  default_backend targets
backend targets
  server target 127.0.0.1:${targetPort} pool-max-conn 1000
`;
}

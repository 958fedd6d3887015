// A registry with one small image, in place of a real registry. It has the read-only part of the distribution API.
// SPDX-License-Identifier: MIT
import http from 'node:http';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';

const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A tar archive with one empty file. */
function archive(name) {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write('0000644\0' + '0000000\0' + '0000000\0' + '00000000000\0' + '00000000000\0' + '        0', 100);
  head.write('ustar\0' + '00', 257);
  head.write(`${head.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([head, Buffer.alloc(1024)]);
}

export class Registry {
  /** `asked` has the requested paths. `spoil(path)` decides whether a byte of that response is changed. */
  static async start() {
    const registry = new Registry();
    Object.assign(registry, { asked: [], spoil: () => false });
    const layer = archive(randomUUID()); // new, so that no engine has it
    const blobs = [gzipSync(layer), Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }))];
    const [packed, config] = blobs.map((bytes) => ({ size: bytes.length, digest: digestOf(bytes) }));
    const type = 'application/vnd.docker.distribution.manifest.v2+json';
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type,
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', ...packed }] }));
    registry.digest = digestOf(manifest);
    registry.server = http.createServer((request, response) => {
      registry.asked.push(request.url);
      const blob = blobs.find((bytes) => request.url.endsWith(digestOf(bytes)));
      const bytes = request.url === '/v2/' ? Buffer.from('{}') : /\/manifests\//.test(request.url) ? manifest : blob;
      if (!bytes) return response.writeHead(404).end();
      const sent = Buffer.from(bytes);
      if (registry.spoil(request.url)) sent[sent.length - 1] ^= 1;
      response.writeHead(200, { 'content-type': bytes === manifest ? type : 'application/octet-stream', 'content-length': sent.length,
        'docker-content-digest': bytes === manifest ? registry.digest : digestOf(bytes) });
      response.end(request.method === 'HEAD' ? undefined : sent);
    });
    registry.server.listen(0, '127.0.0.1');
    await once(registry.server, 'listening');
    registry.host = `127.0.0.1:${registry.server.address().port}`;
    return registry;
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

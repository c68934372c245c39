// Run by the health check: succeeds where this node takes writes. On a new database it first makes the replica set of this one
// node, then the user of Hopps; each only where it is missing, so it may be cut off anywhere.

const { MONGO_INITDB_ROOT_USERNAME: root, MONGO_INITDB_ROOT_PASSWORD: rootPassword, HOPPS_PASSWORD: password } = process.env;
const admin = connect('mongodb://127.0.0.1:27017/admin?directConnection=true');
admin.auth(root, rootPassword);

try {
  admin.runCommand({ replSetGetStatus: 1 });
} catch (problem) {
  if (problem.codeName !== 'NotYetInitialized') throw problem;
  admin.runCommand({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] } });
}

if (!admin.hello().isWritablePrimary) throw new Error('This node does not take writes yet.');

if (!admin.getUser('hopps')) {
  // Any database: a backup is proven by restoring it into one of its own.
  const roles = ['readWriteAnyDatabase', 'dbAdminAnyDatabase', 'clusterMonitor'];
  admin.createUser({ user: 'hopps', pwd: password, roles });
}
